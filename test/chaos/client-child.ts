import { connect, type Lock, SluiceError } from '../../src/client/index.ts'

/** What a test may ask of a client in a process of its own. */
export interface ClientAsks {
  lock(path: string, ttl: number): string
  write(path: string, text: string): string
  state(path: string): string
}

/**
 * A client as a process of its own, for tests to stop and continue: `client-child.ts URL TOKEN`. It
 * does what it is told over IPC, and keeps its locks alive meanwhile as any SDK client does.
 */
const [url = '', token = ''] = process.argv.slice(2)
const sluice = await connect({ url, token })
const workspace = sluice.workspace('main')
const locks = new Map<string, Lock>()

const asks = {
  async lock(path: string, ttl: number) {
    const lock = await workspace.lock(path, { level: 'write', ttl })
    locks.set(path, lock)
    return lock.id
  },
  async write(path: string, text: string) {
    const lock = locks.get(path)
    await workspace.write(path, text, lock === undefined ? {} : { lock })
    return 'written'
  },
  async state(path: string) {
    const lock = locks.get(path)
    return `${lock?.state}${lock?.signal.aborted === true ? ', aborted' : ''}`
  },
}

process.on('message', (message: { id: number; what: keyof typeof asks; with: [string, never] }) => {
  const answer = (value: string): void => {
    process.send?.({ id: message.id, value })
  }
  asks[message.what](...message.with).then(answer, (error: unknown) => {
    answer(error instanceof SluiceError ? error.code : String(error))
  })
})
process.on('disconnect', () => process.exit(0))
process.send?.({ id: 0, value: sluice.session })
