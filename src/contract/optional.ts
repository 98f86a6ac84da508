/** `{[name]: value}`, or nothing when there is no value: facts and requests carry no empty fields. */
export function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: V })
}
