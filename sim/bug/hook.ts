import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { BUGS } from './list.ts'

/**
 * `node --import ./sim/bug/hook.ts`: loads the source with the bug that `SIM_BUG` names. Nothing of
 * it is in what is shipped, and no file on disk is changed.
 */
const bug = BUGS.find((one) => one.name === process.env.SIM_BUG)
if (bug === undefined) throw new Error(`There is no planted bug "${process.env.SIM_BUG}".`)
const target = new URL(`../../${bug.file}`, import.meta.url).href

registerHooks({
  load(url, context, next) {
    if (url !== target) return next(url, context)
    const text = readFileSync(new URL(url), 'utf8')
    const parts = text.split(bug.find)
    if (parts.length !== 2) {
      throw new Error(`"${bug.name}": its text occurs ${parts.length - 1} times in ${bug.file}.`)
    }
    const source = stripTypeScriptTypes(parts.join(bug.replace))
    return { format: 'module', source, shortCircuit: true }
  },
})
