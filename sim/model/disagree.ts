export class ModelDisagrees extends Error {
  override name = 'ModelDisagrees'
}

/** Tells which rule a decision broke, and ends its judgement. */
export type Disagree = (rule: string, what: string) => never
