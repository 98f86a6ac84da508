import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rulesPage } from './rules.ts'
import { ROOT } from './source.ts'

writeFileSync(join(ROOT, 'docs', 'rules.md'), rulesPage())
