import { onTestFinished } from 'vitest'
import { openRealEngine } from '../face/real-engine.ts'
import { StdioEnd } from '../fuzz/stdio-end.ts'

/** A stdio server in this process that works as `agent-a`; closed after the test. */
export async function openStdio(): Promise<Pick<StdioEnd, 'ask' | 'call'>> {
  const { engine } = await openRealEngine()
  const caller = await engine.callerOf({ name: 'agent-a', role: 'agent' }, { session: 'stdio' })
  const end = await StdioEnd.open(engine, caller)
  onTestFinished(async () => {
    await end.close()
    await engine.close()
  })
  return { ask: (line) => end.ask(line), call: (name, args) => end.call(name, args) }
}
