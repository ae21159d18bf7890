export interface Refusal {
  readonly reason: string;
}

const refusal = (reason: string): Refusal => ({ reason });

/** Why an event is not taken: few fixed sentences, so that they can be counted by. */
export const REFUSALS = {
  notJson: refusal('not JSON'),
  notAnObject: refusal('not a JSON object'),
  time: refusal('`time` cannot be read: send ISO 8601 or epoch milliseconds'),
  tooOld: refusal('`time` is older than events are taken'),
  idTooLong: refusal('`id` is too long'),
  appTooLong: refusal('`app` is too long'),
  itemTooLong: refusal('`item` is too long'),
  tooManyKeys: refusal('too many keys'),
  keyTooLong: refusal('a key is too long'),
  tooDeep: refusal('nested too deep'),
  tooManyValues: refusal('an array has too many values'),
} as const satisfies Record<string, Refusal>;
