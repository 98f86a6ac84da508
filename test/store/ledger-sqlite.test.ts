import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test, vi } from 'vitest'
import { SqliteLedger } from '../../src/store/ledger/sqlite.ts'

test('when its thread dies, every waiting append rejects, and so do later ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-ledger-'))
  const ledger = new SqliteLedger(join(folder, 'ledger.db'))
  const posting = vi.spyOn(Worker.prototype, 'postMessage')
  const { epoch } = await ledger.open()
  const worker = posting.mock.contexts[0] as Worker
  posting.mockRestore()
  const append = (revision: number) =>
    ledger.append(epoch, revision - 1, {
      first: revision,
      last: revision,
      payload: new Uint8Array(10_000_000),
      attachments: [],
    })

  const waiting = Promise.allSettled([append(1), append(2), append(3)])
  const ended = worker.terminate()
  const results = await waiting
  await ended
  expect(results.at(-1)?.status).toBe('rejected')
  await expect(append(4)).rejects.toThrow('The thread of the ledger is gone')

  await ledger.close()
  const stored = results.filter(({ status }) => status === 'fulfilled').length
  expect((await ledger.open()).revision).toBeGreaterThanOrEqual(stored)
  await ledger.close()
  await rm(folder, { recursive: true })
})
