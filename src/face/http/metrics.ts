import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { EngineApi } from '../../engine/api.ts'

/** `/metrics` in Prometheus' format: requests by route, what the engine says of itself, the process. */
export function addMetrics(app: FastifyInstance, engine: EngineApi): void {
  const register = new Registry()
  collectDefaultMetrics({ register })
  countRequests(app, register)
  addWorkspaceGauges(engine, register)
  app.get('/metrics', async (_request, reply) => {
    return reply.type(register.contentType).send(await register.metrics())
  })
  app.addHook('onClose', async () => register.clear())
}

function countRequests(app: FastifyInstance, register: Registry): void {
  const requests = new Counter({
    name: 'sluice_http_requests_total',
    help: 'Requests answered, by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [register],
  })
  const durations = new Histogram({
    name: 'sluice_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, by route',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers: [register],
  })
  app.addHook('onResponse', (request, reply, done) => {
    // The route's pattern, never the URL: label values must stay few.
    const route = request.routeOptions.url ?? '(none)'
    const method = request.is404 ? '(any)' : request.method
    requests.inc({ method, route, status: reply.raw.statusCode })
    durations.observe({ method, route }, reply.elapsedTime / 1000)
    done()
  })
}

function addWorkspaceGauges(engine: EngineApi, register: Registry): void {
  const gauges = [
    { field: 'revision', name: 'sluice_workspace_revision', help: 'Last durable revision' },
    { field: 'locks', name: 'sluice_locks_held', help: 'Locks held' },
    { field: 'waiting', name: 'sluice_locks_waiting', help: 'Requests waiting for a lock' },
  ] as const
  for (const { field, name, help } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['workspace'],
      registers: [register],
      collect() {
        this.reset()
        for (const [workspace, facts] of Object.entries(engine.health().workspaces)) {
          this.set({ workspace }, facts[field])
        }
      },
    })
  }
  new Gauge({
    name: 'sluice_up',
    help: '1 while the server takes requests',
    registers: [register],
    collect() {
      this.set(engine.health().status === 'ok' ? 1 : 0)
    },
  })
}
