import { z } from 'zod'
import { LIMITS } from '../../contract/limits.ts'
import { optional } from '../../contract/optional.ts'
import { COORDINATES, itemsText } from './lock-text.ts'
import { TEXT_OUTPUT, type Tool, textAnswer, tool } from './tool.ts'

/** For supervisors and people only, so not among what every agent sees. */

const reason = z
  .string()
  .min(1)
  .max(LIMITS.intentBytes)
  .describe('Why; the holder and the audit see it')

const recallTool = tool({
  name: 'recall_lock',
  title: 'Recall Lock',
  description:
    'Tell a holder until when to give a lock back; then it is taken away. For supervisors.',
  input: z.strictObject({
    lock_id: z.string(),
    reason,
    grace: z.number().min(0).max(3600).optional().describe('Seconds the holder has'),
  }),
  output: TEXT_OUTPUT,
  annotations: COORDINATES,
  async run({ lock_id: id, reason, grace }, { door, workspace }) {
    const input = { workspace, id, reason, ...optional('grace', grace) }
    const { lock } = (await door.call('recall_lock', input)).value
    const until = lock.recall?.deadline ?? lock.expires_at
    const text = `${lock.session} was told to give back ${id} on ${itemsText(lock.items)} by ${until}; then it is taken away.`
    return textAnswer(text, { lock })
  },
})

const forceTool = tool({
  name: 'force_release',
  title: 'Force Release',
  description:
    'Take a lock from its holder at once. It may be in the middle of its work: recall_lock is kinder. For supervisors.',
  input: z.strictObject({ lock_id: z.string(), reason }),
  output: TEXT_OUTPUT,
  annotations: { ...COORDINATES, destructiveHint: true },
  async run({ lock_id: id, reason }, { door, workspace }) {
    const input = { workspace, id, force: true, reason }
    const { released } = (await door.call('release_lock', input)).value
    const text = released ? `Took ${id} from its holder.` : `${id} was not held any more.`
    return textAnswer(text, { released })
  },
})

export const supervisorTools: readonly Tool[] = [recallTool, forceTool]
