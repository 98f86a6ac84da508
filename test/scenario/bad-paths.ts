/** files §19: what no path may be. `not`: doors that cannot even say it. */
export const BAD_PATHS: readonly { what: string; path: string; not?: readonly string[] }[] = [
  // In a URL, nothing after /files is the root.
  { what: 'empty', path: '', not: ['HTTP'] },
  { what: 'above the root', path: '/../x' },
  { what: 'above the root by a way round', path: '/../d/../../x' },
  { what: 'NUL', path: '/nul\u0000', not: ['command line'] },
  { what: 'a bell', path: '/bell\u0007' },
  { what: 'a line end', path: '/line\n' },
  { what: 'DEL', path: '/del\u007f' },
  // MessagePack and arguments of processes are UTF-8, which has no lone surrogates.
  { what: 'a lone surrogate', path: '/lone\ud800', not: ['socket', 'MCP over stdio', 'command'] },
  { what: 'a name of 256 bytes', path: `/${'n'.repeat(256)}` },
  { what: 'a name of 256 bytes in 128 letters', path: `/${'\u00e9'.repeat(128)}` },
  { what: 'a path of more than 4,096 bytes', path: `/${'n'.repeat(255)}`.repeat(17) },
]
