import type { Difference } from '../difference.ts'
import type { Reason } from './reason.ts'

/** How tools are described in tools/list. */
function described(
  id: string,
  reason: string,
  at: RegExp,
  isMeant: (official: unknown, ours: unknown) => boolean,
): Reason {
  return {
    id,
    reason,
    matches: ({ aspect, at: place, official, ours }: Difference) =>
      aspect === 'tools/list' && at.test(place) && isMeant(official, ours),
  }
}

export const DESCRIBED: readonly Reason[] = [
  described(
    'shorter-descriptions',
    'A model reads every description with every request, so ours say the same in fewer words.',
    /(?:^|\.)description$/,
    (official, ours) =>
      ours === undefined ||
      (typeof ours === 'string' && ours !== '' && ours.length < String(official).length),
  ),
  described(
    'no-dialect',
    'Schemas do not name their dialect, which is the one that the protocol has.',
    /^(?:input|output)Schema\.\$schema$/,
    (_, ours) => ours === undefined,
  ),
  described(
    'no-tasks',
    'Tools do not say that they are no tasks: that is what is meant where nothing is said.',
    /^execution$/,
    (official, ours) =>
      ours === undefined && JSON.stringify(official) === '{"taskSupport":"forbidden"}',
  ),
  described(
    'whole-lines',
    'A number of lines is a whole number, and the schema says so.',
    /^inputSchema\.properties\.(?:head|tail)\.type$/,
    (official, ours) => official === 'number' && ours === 'integer',
  ),
  described(
    'answers-say-more',
    'Answers say more than their text (a version, a note), so their schema does not close them.',
    /^outputSchema\.additionalProperties$/,
    (official, ours) => official === false && ours === undefined,
  ),
  described(
    'media-blocks-unsaid',
    'The schema of media leaves it to the protocol what a block of content is made of.',
    /^outputSchema\.properties\.content\.items\.anyOf$/,
    (_, ours) => ours === undefined,
  ),
  described(
    'one-path-at-least',
    'That at least one path is needed is said by a refusal, not by the schema.',
    /^inputSchema\.properties\.paths\.minItems$/,
    (official, ours) => official === 1 && ours === undefined,
  ),
]
