/** The text of a file with an entry in it, or why there is none. */
export type Merged =
  | { kind: 'merged'; text: string }
  /** It says just that already. */
  | { kind: 'same' }
  /** The name stands for something else there. */
  | { kind: 'other' }
  /** A person has to do it. */
  | { kind: 'unclear'; why: string }
