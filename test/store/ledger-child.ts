/**
 * A process of its own for the ledger's contract suite: `ledger-child.ts <file> hold` opens the
 * ledger and keeps it; `append` appends until it is killed, or until an append fails, and prints
 * each revision it was told is durable. The first line is the epoch.
 */
import { SqliteLedger } from '../../src/store/ledger/sqlite.ts'

const [, , file, command] = process.argv
const ledger = new SqliteLedger(file!)
const head = await ledger.open()
console.log(head.epoch)

if (command === 'append') {
  let revision = head.revision
  const append = async () => {
    const after = revision
    revision += 1
    const payload = new Uint8Array(3000).fill(revision)
    await ledger.append(head.epoch, after, {
      first: revision,
      last: revision,
      payload,
      attachments: [],
    })
    console.log(after + 1)
  }
  while (true) {
    // Four at a time, so that a failure finds some that wait.
    const results = await Promise.allSettled([append(), append(), append(), append()])
    const rejected = results.filter(({ status }) => status === 'rejected')
    if (rejected.length === 0) continue
    console.log(`rejected ${rejected.length}`)
    process.exit(0)
  }
}
