import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/**
 * `/docs`: the reference, drawn in the browser from `/openapi.json`. One page, no assets from
 * elsewhere; the policy allows exactly this script and this style, and text is only ever set as text.
 */
const STYLE = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem 1.5rem 4rem}
h1{margin-bottom:0}h2{margin-top:2.5rem;text-transform:capitalize}
article{border-top:1px solid #8885;padding:1rem 0}
h3{font-size:1rem;margin:0 0 .25rem}code,pre{font:14px/1.45 ui-monospace,monospace}
.method{display:inline-block;min-width:4.5em;font-weight:700}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.2rem .75rem .2rem 0;border-bottom:1px solid #8883}
pre{overflow:auto;background:#8881;padding:.75rem;border-radius:.4rem;max-height:24rem}
summary{cursor:pointer}`

const SCRIPT = `
const put = (parent, tag, text, className) => {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (className) element.className = className
  return parent.appendChild(element)
}
const typeOf = (schema = {}) =>
  schema.enum ? schema.enum.join(' | ')
  : schema.anyOf ? schema.anyOf.map(typeOf).join(' | ')
  : Array.isArray(schema.type) ? schema.type.join(' | ') : schema.type ?? ''
const rows = (parent, head, list) => {
  const table = put(parent, 'table')
  const top = put(put(table, 'thead'), 'tr')
  for (const name of head) put(top, 'th', name).scope = 'col'
  const body = put(table, 'tbody')
  for (const cells of list) {
    const row = put(body, 'tr')
    for (const cell of cells) put(row, 'td', cell)
  }
}
const fold = (parent, title, value) => {
  const details = put(parent, 'details')
  put(details, 'summary', title)
  put(put(details, 'pre'), 'code', JSON.stringify(value, null, 2))
}
const show = (parent, method, path, operation) => {
  const article = put(parent, 'article')
  article.id = operation.operationId
  const heading = put(article, 'h3')
  put(heading, 'span', method.toUpperCase(), 'method')
  put(heading, 'code', path)
  put(article, 'p', operation.summary)
  const parameters = (operation.parameters ?? []).map((one) =>
    [one.name, one.in + (one.required ? ', required' : ''), typeOf(one.schema), one.description ?? ''])
  const body = operation.requestBody?.content?.['application/json']?.schema
  for (const [name, schema] of Object.entries(body?.properties ?? {})) {
    const needed = body.required?.includes(name) ? ', required' : ''
    parameters.push([name, 'body' + needed, typeOf(schema), schema.description ?? ''])
  }
  if (parameters.length) rows(article, ['Name', 'Where', 'Type', 'What'], parameters)
  rows(article, ['Status', 'Answer'],
    Object.entries(operation.responses).map(([status, one]) => [status, one.description]))
  if (body) fold(article, 'Schema of the body', body)
  for (const [status, one] of Object.entries(operation.responses)) {
    const schema = one.content?.['application/json']?.schema
    if (schema) fold(article, 'Schema of ' + status, schema)
  }
}
const main = document.querySelector('main')
fetch('/openapi.json').then((answer) => answer.json()).then((document_) => {
  put(main, 'h1', document_.info.title)
  put(main, 'p', document_.info.description + ' Version ' + document_.info.version + '.')
  const byTag = {}
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      (byTag[operation.tags?.[0] ?? 'server'] ??= []).push([method, path, operation])
    }
  }
  for (const tag of Object.keys(byTag).sort()) {
    put(main, 'h2', tag)
    for (const one of byTag[tag]) show(main, ...one)
  }
}).catch(() => put(main, 'p', 'The reference could not be loaded from /openapi.json.'))
`

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sluice reference</title><style>${STYLE}</style></head>
<body><main></main><noscript>This page needs JavaScript; /openapi.json does not.</noscript>
<script>${SCRIPT}</script></body></html>
`

const POLICY = [
  "default-src 'none'",
  `script-src '${hashOf(SCRIPT)}'`,
  `style-src '${hashOf(STYLE)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

export function addDocsPage(app: FastifyInstance): void {
  app.get('/docs', { config: { public: true } }, async (_request, reply) => {
    return reply
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'no-referrer')
      .type('text/html; charset=utf-8')
      .send(PAGE)
  })
}
