import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { referencePages } from './pages.ts'

/** `npm run reference`: writes docs/reference from the contract and the commands. */
const folder = fileURLToPath(new URL('../../../docs/reference/', import.meta.url))
mkdirSync(folder, { recursive: true })
for (const [name, text] of Object.entries(await referencePages())) {
  writeFileSync(`${folder}${name}`, text)
}
