import { perform, type Step } from './steps.ts'

/** A program that saves files, in a process of its own: told what to do by the one that runs the test. */
const root = process.argv[2] as string

process.on('message', ({ id, steps }: { id: number; steps: Step[] }) => {
  perform(root, steps)
    .then((performed) => process.send?.({ id, performed }))
    .catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    })
})
process.on('disconnect', () => process.exit(0))
