import { engineDoor } from '../../src/face/mcp/door.ts'
import { serveStdioDoor } from '../../src/face/mcp/stdio.ts'
import { openRealEngine } from './real-engine.ts'

/** A stdio MCP server over an engine of its own, for the tests to spawn. */
const { engine } = await openRealEngine()
const caller = await engine.callerOf({ name: 'agent-a', role: 'agent' }, { session: 'stdio' })
serveStdioDoor(engineDoor(engine, caller), {
  workspace: 'main',
  tools: 'core',
  version: '0.0.0',
  failed: (error) => engine.failed(error),
})
