import { writeFileSync } from 'node:fs'
import { differencesPage, PAGE } from './differences-page.ts'

writeFileSync(PAGE, differencesPage())
