/** The tool that does what a command does, and which of its arguments the command's become. */
interface Counterpart {
  tool: string;
  /** Of the command's arguments, in order. */
  args?: readonly string[];
  /** Of its flags with a value; null: it says nothing to the tool. */
  flags?: Readonly<Record<string, string | null>>;
  /** Before the value of an argument. */
  prefix?: string;
  more?: Readonly<Record<string, unknown>>;
}

const TOOLS: Readonly<Record<string, Counterpart>> = {
  'canary start': { tool: 'start_canary', flags: { model: 'modelId', from: 'fromGate', to: 'toGate' } },
  'canary status': { tool: 'canary_status', args: ['canaryId'] },
  'canary abort': { tool: 'abort_canary', args: ['canaryId'], flags: { reason: 'reason' } },
  'canary list': { tool: 'list_canaries', flags: { model: 'modelId' } },
  why: { tool: 'why', args: ['id'] },
  'why-math': { tool: 'why_math', args: ['id'] },
  'job run': { tool: 'run_eval', args: ['taskId'], flags: { config: 'configId' } },
  'job status': { tool: 'status', args: ['jobId'] },
  'job list': { tool: 'search', more: { query: 'job' } },
  'gate promote': { tool: 'promote_model', args: ['modelId', 'gate'] },
  'gate list': { tool: 'list_gates' },
  'gate history': { tool: 'fetch', args: ['id'], prefix: 'gate:' },
  verify: { tool: 'verify_log', flags: { db: null } },
  plan: { tool: 'plan' },
  replay: { tool: 'what_if' },
  search: { tool: 'search', args: ['query'] },
};

/** Commands that no tool stands for: what they do is left to people. */
const OF_PEOPLE: readonly string[] = [
  ...['canary resume', 'canary retry', 'canary promote', 'canary approve', 'canary reject', 'canary review'],
  ...['job cancel', 'db rebuild', 'keys init', 'keys show', 'policy lint', 'checkpoint', 'doctor', 'init', 'export'],
];

/** Flags that `start_canary` has as arguments. */
const FLAGS: Readonly<Record<string, string>> = {
  '--allow-missing': 'allowMissing',
  '--allow-shared-series': 'allowSharedSeries',
  '--dry-run': 'dryRun',
};

/** A command in a sentence, with the word and the quote before it. */
const COMMAND = /(\b[Rr]un:? )?(`?)\blukhas ([a-z]+(?:-[a-z]+)?)(?: ([a-z]+))?/g;
/** Where a whole command line stands, and not a sentence about a command. */
const LINE = /(^|[(`]|[:,;] |\b(run|with) )$/i;
const WORD = / +(?:"([^"\n]*)"|'([^'\n]*)'|(--[a-z][a-z-]*)(?:=(\S+))?|([^\s`"']+))/y;

/**
 * What a text of the library advises, for somebody who has tools and no shell: the commands in it become calls of the tools that
 * do the same. Where none does, or it is not offered, the operator is asked to run the command.
 * @param text advice, not what somebody else wrote
 */
export function toolAdvice(text: string, offered: ReadonlySet<string>): string {
  let result = '';
  let from = 0;
  for (const match of text.matchAll(COMMAND)) {
    const [whole, run = '', quote = '', first = '', second = ''] = match;
    const name = [`${first} ${second}`, first].find(
      (words) => Object.hasOwn(TOOLS, words) || OF_PEOPLE.includes(words),
    );
    if (name === undefined || match.index < from) continue;
    const begins = match.index + whole.indexOf('lukhas');
    const end = begins + 'lukhas '.length + name.length;
    const line = LINE.test(text.slice(0, begins)) ? lineAt(text, end, TOOLS[name]) : { args: {}, end };
    const known = TOOLS[name];
    const isOffered = known !== undefined && offered.has(known.tool);
    const said = isOffered ? callOf(known, line.args) : `\`${text.slice(begins, line.end)}\``;
    const ask = isOffered ? 'call ' : 'ask the operator to run ';
    result +=
      text.slice(from, match.index) + (isOffered && run === '' ? '' : run.startsWith('R') ? capital(ask) : ask) + said;
    from = line.end + (quote !== '' && text[line.end] === '`' ? 1 : 0);
  }
  return forPeople(withArguments(result + text.slice(from)));
}

function callOf({ tool, more }: Counterpart, args: Readonly<Record<string, string>>): string {
  const all = { ...args, ...more };
  return Object.keys(all).length === 0 ? tool : `${tool} ${JSON.stringify(all)}`;
}

/** The arguments of a command line whose words end at `from`, and its end. */
function lineAt(text: string, from: number, known: Counterpart | undefined) {
  const { args: names = [], flags = {}, prefix = '' } = known ?? {};
  const args: Record<string, string> = {};
  let end = from;
  let flag: string | null = null;
  // Of a command without a tool nothing is known: it has one argument at most, and reasons.
  let left = known === undefined ? ['id'] : [...names];
  for (;;) {
    WORD.lastIndex = end;
    const [found, double, single, name, assigned, bare] = WORD.exec(text) ?? [];
    if (found === undefined) return { args, end };
    if (name !== undefined) {
      flag = name.slice(2);
      if (assigned !== undefined) flag = put(args, flags, flag, assigned);
      end += found.length;
      continue;
    }
    const plain = double ?? single ?? (bare ?? '').replace(/[.,;:)?]+$/, '');
    const closed = double === undefined && single === undefined && plain !== bare;
    if (plain === '' || bare?.startsWith('(')) return { args, end };
    if (flag !== null) flag = put(args, flags, flag, plain);
    else if (left[0] === undefined) return { args, end };
    else {
      args[left[0]] = `${prefix}${plain}`;
      left = left.slice(1);
    }
    end += found.length - (closed ? (bare ?? '').length - plain.length : 0);
    if (closed) return { args, end };
  }
}

function put(
  args: Record<string, string>,
  flags: NonNullable<Counterpart['flags']>,
  flag: string,
  value: string,
): null {
  const name = flags[flag];
  if (name != null) args[name] = value;
  return null;
}

function withArguments(text: string): string {
  return text.replace(/(without )?(--(?:allow-missing|allow-shared-series|dry-run))\b/g, (_, without, flag) =>
    without === undefined ? `${FLAGS[flag]}: true` : `with ${FLAGS[flag]}: false`,
  );
}

/** Flags are typed where the daemon is started, or a command is. */
function forPeople(text: string): string {
  const rest = text.replace(/`[^`\n]*`/g, '');
  return /(^|[\s(])--[a-z]/.test(rest) ? `For the operator: ${text}` : text;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
