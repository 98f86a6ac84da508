import { runBatch } from './batch.ts'
import { type JobOrder, seedsOf } from './jobs.ts'

/** One process of many: told its seeds by message, tells how far it is. */
process.once('message', (order: JobOrder) => {
  const tell = (message: unknown): void => {
    process.send?.(message)
  }
  runBatch({ ...order, seeds: seedsOf(order) }, (tally) => {
    if (tally.runs % 10 === 0 || tally.failed.length > 0) tell(tally)
  }).then(
    (tally) => {
      tell(tally)
      process.disconnect()
    },
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
