/** Whether a path of a workspace can have this name. */
export function isNameable(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return !/[\u0000-\u001f\u007f\ufffd]/.test(name) && name.isWellFormed()
}
