/**
 * What is ours of the reference page. These functions run in the browser: their text is put into the
 * page's script, so they are written alone, with nothing from around them.
 */

/** One operation as Swagger UI keeps it. */
interface Immutable {
  get(key: string): unknown
  getIn(keys: readonly string[]): unknown
}
interface Tag extends Immutable {
  get(key: 'operations'): Operations
  update(key: 'operations', change: (operations: Operations) => Operations): Tag
}
interface Operations {
  size: number
  filter(test: (operation: Immutable) => boolean): Operations
}
interface Tags {
  map(change: (tag: Tag, name: string) => Tag): Tags
  filter(test: (tag: Tag) => boolean): Tags
}

/** Finds operations by group, path, name and summary; Swagger UI itself looks at the first two. */
export const searchPlugin = () => ({
  fn: {
    opsFilter: (tags: Tags, phrase: string): Tags =>
      tags
        .map((tag, name) =>
          tag.update('operations', (operations) =>
            operations.filter((operation) => {
              const text = [
                name,
                operation.get('method'),
                operation.get('path'),
                operation.getIn(['operation', 'operationId']),
                operation.getIn(['operation', 'summary']),
              ].join(' ')
              return text.toLowerCase().includes(phrase.toLowerCase())
            }),
          ),
        )
        .filter((tag) => tag.get('operations').size > 0),
  },
})

/** Paths of files go into the address as they are: slashes written as %2F are refused. */
export const plainPath = (request: Record<string, unknown>): Record<string, unknown> => {
  const [path = '', ...query] = String(request.url).split('?')
  const plain = path.replace(/\/(?:%2F)+/gi, '/').replace(/%2F/gi, '/')
  return Object.assign(request, { url: [plain, ...query].join('?') })
}
