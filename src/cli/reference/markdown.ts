/** A Markdown table; what could break a cell is escaped. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = titles.map(() => '---')
  return [titles, rule, ...rows.map((cells) => cells.map(cell))].map(line).join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim()
}

export function code(text: string | number): string {
  return `\`${text}\``
}

/** One page: its title, what it is, its parts. */
export function page(title: string, about: string, parts: readonly string[]): string {
  const origin =
    '<!-- Generated from the contract by "npm run reference". Changes belong there. -->'
  return `${[origin, `# ${title}`, about, ...parts].join('\n\n')}\n`
}
