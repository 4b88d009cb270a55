/** A key as a terminal sends it: a name, or the character itself. */
export type KeyName =
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'backspace'
  | 'ctrl-c'
  | 'ctrl-z'
  | 'ctrl-u'
  | { character: string };

/** What Ink says about a key, as far as it is asked. */
export interface InkKey {
  upArrow: boolean;
  downArrow: boolean;
  pageUp: boolean;
  pageDown: boolean;
  home: boolean;
  end: boolean;
  return: boolean;
  escape: boolean;
  backspace: boolean;
  delete: boolean;
  ctrl: boolean;
  meta: boolean;
  tab: boolean;
}

const NAMED: readonly (readonly [keyof InkKey, KeyName])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  // Terminals differ in which of the two the key above Enter is.
  ['delete', 'backspace'],
];

const CONTROL: Readonly<Record<string, KeyName>> = {
  c: 'ctrl-c',
  z: 'ctrl-z',
  u: 'ctrl-u',
  f: 'pageDown',
  b: 'pageUp',
  n: 'down',
  p: 'up',
};

const ALONE: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\u0003': 'ctrl-c',
  '\u0008': 'backspace',
  '\u0015': 'ctrl-u',
  '\u001a': 'ctrl-z',
  '\u001b': 'escape',
  '\u007f': 'backspace',
};

/** The keys of one event: what was typed fast, or pasted, comes at once. */
export function keysOf(input: string, key: InkKey): KeyName[] {
  const named = NAMED.find(([name]) => key[name]);
  if (named !== undefined) return [named[1]];
  if (key.ctrl) {
    const control = CONTROL[input];
    return control === undefined ? [] : [control];
  }
  if (key.meta || key.tab) return [];
  return [...input].map((character) => ALONE[character] ?? { character });
}
