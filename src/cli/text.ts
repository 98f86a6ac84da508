// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * Text of agents as a terminal may show it: one line, and nothing in it that moves the cursor, colours
 * or reorders what people read.
 */
export function printable(text: string): string {
  return text.replaceAll(control, (character) => (character === '\n' ? ' ' : '�'))
}
