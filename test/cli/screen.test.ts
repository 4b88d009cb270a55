import { expect } from 'chai';
import fc from 'fast-check';
import { presentCanary } from '../../src/cli/present.js';
import { eligibilityLines } from '../../src/cli/present-approvals.js';
import { presentJob, presentJobMath } from '../../src/cli/present-job.js';
import { presentKeys } from '../../src/cli/present-keys.js';
import { presentMath } from '../../src/cli/present-math.js';
import { presentNarrative } from '../../src/cli/present-narrative.js';
import { presentPlan } from '../../src/cli/present-plan.js';
import { presentReplay } from '../../src/cli/present-replay.js';
import { presentCheck } from '../../src/cli/present-smoke.js';
import { atMargin, beside, block, Styled, toScreen } from '../../src/cli/screen.js';
import { statusLine } from '../../src/cli/status-line.js';
import { table } from '../../src/cli/table.js';
import { why, whyMath } from '../../src/lib/app/explanations.js';
import { planPolicy } from '../../src/lib/judge/plan.js';
import type { Job } from '../../src/lib/readings/index.js';
import { replay } from '../../src/lib/replay/replay.js';
import { APPROVAL_STORIES } from '../lib/explain/approval-stories.js';
import { STORIES, Story } from '../lib/explain/stories.js';
import { errors, looks, policy } from '../lib/judge/looks.js';
import { recorded, request } from '../lib/replay/recordings.js';

const TERMINAL = { isTTY: true, columns: 80 } as unknown as NodeJS.WriteStream;
/** Where no line is broken for its length. */
const WIDE = { isTTY: true, columns: 100_000 } as unknown as NodeJS.WriteStream;
const HARMLESS = 'Name';

/** Keys of what people, programs and servers name and say. */
const FROM_OUTSIDE = new Set(
  `who message detail modelId fromGate toGate canaryId id failed says problems promise assumptions question name path
  why taskId configId command lacking overridden policyName notes digest holder fingerprint ssh vkey missing label
  original counterfactual`.split(/\s+/),
);

/** The value with `text` in the place of what comes from outside; a reason is said by somebody or is one of the judge's. */
function withText<T>(value: T, text: string, key = '', said = false): T {
  if (typeof value === 'string') return (FROM_OUTSIDE.has(key) || (key === 'reason' && said) ? text : value) as T;
  if (Array.isArray(value)) return value.map((each) => withText(each, text, key, said)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value);
  return Object.fromEntries(members.map(([name, each]) => [name, withText(each, text, name, 'by' in value)])) as T;
}

const evil = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '\u001b[2J\u001b[H\u001b[32mPROMOTED\u001b[0m',
        '\u001b[31m',
        '\u009b8m',
        '\u001b]8;;http://x\u0007',
        '\u202e',
        '\u2066',
        '\r\n  holds  all of it',
        '\n',
        '\u2028',
        '\u200b',
        '\u0000',
      ),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
const COLOR = /\u001b\[\d+m/g;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** @param make presents with `text` in the place of what comes from outside */
function holds(make: (text: string) => Styled, { sameLines = true } = {}): void {
  const plain = make(HARMLESS).sequences;
  expect(plain).to.include(HARMLESS);
  fc.assert(
    fc.property(evil, (text) => {
      const shown = make(text).sequences;
      // Within an emoji it may stay.
      expect(shown.replace(COLOR, '').replaceAll('\n', '').replaceAll('\u200d', '')).not.to.match(HIDDEN);
      const lines = (all: string) => all.split('\n').length;
      if (sameLines) expect(lines(shown)).to.equal(lines(plain));
      if (sameLines) expect(shown.match(COLOR)).to.deep.equal(plain.match(COLOR));
    }),
    { numRuns: 60 },
  );
}

const JOB: Job = {
  ...({} as Job),
  id: 'job-1',
  taskId: 'smoke',
  configId: 'prod@7',
  state: 'failed',
  dryRun: false,
  command: ['./smoke.sh', 'a'],
  requestedBy: { who: 'ana', how: 'os-user' },
  createdAt: '2026-03-01T12:00:00.000Z',
  startedAt: '2026-03-01T12:00:01.000Z',
  failure: {
    ...({} as NonNullable<Job['failure']>),
    reason: 'exit',
    message: 'exit code 3',
    durationMs: 5,
    by: { who: 'ana', how: 'os-user' },
    output: { bytes: 3, tail: 'end', truncated: false },
  },
};

describe('what reaches a terminal', function () {
  this.timeout(30_000);
  const { NO_COLOR } = process.env;
  before(() => delete process.env['NO_COLOR']);
  after(() => {
    if (NO_COLOR !== undefined) process.env['NO_COLOR'] = NO_COLOR;
  });

  for (const name of ['rolled-back', 'hook-failure', 'blocked-no-data', 'override-of-blocked', 'source-refused'])
    it(`of the canary ${name} holds no sequences but colours of ours`, () => ofStory(name, STORIES[name]!));
  for (const name of ['break-glass', 'awaiting-approval', 'rejected'])
    it(`of the canary ${name} holds no sequences but colours of ours`, () => ofStory(name, APPROVAL_STORIES[name]!));

  async function ofStory(_: string, tell: (story: Story) => Promise<void>): Promise<void> {
    const story = await Story.begin();
    try {
      await tell(story);
      const log = { ledger: story.at.ledger, canaries: story.canaries };
      const canary = await story.canaries.get(story.id);
      const [math, narrative] = [await whyMath(log, story.id), await why(log, story.id)];
      holds((text) => presentCanary(withText(canary, text), false));
      holds((text) => presentMath(withText(math, text), WIDE));
      holds((text) => presentMath(withText(math, text), TERMINAL), { sameLines: false });
      const told = (text: string) => ({
        ...narrative,
        title: `${narrative.title} ${text}`,
        sections: narrative.sections.map((s) => ({ ...s, sentences: s.sentences.map((said) => `${said} ${text}`) })),
      });
      holds((text) => presentNarrative(told(text), TERMINAL), { sameLines: false });
    } finally {
      await story.end();
    }
  }

  it('of a job does not, nor what its program wrote', () => {
    holds((text) => presentJob(withText(JOB, text), false));
    const written = (text: string): Job => ({
      ...JOB,
      failure: { ...JOB.failure!, output: { bytes: 3, tail: text, truncated: false } },
    });
    holds((text) => presentJob(written(text), false), { sameLines: false });
    const math = { why: 'it failed', id: 'job-1', time_to_action_sec: 2, metrics: { auc: 'fine' } };
    holds((text) =>
      presentJobMath({ ...math, why: text, metrics: { [text]: text } } as unknown as Parameters<
        typeof presentJobMath
      >[0]),
    );
  });

  it('of a replay and its sweep does not', async () => {
    const own = policy({ targets: { max_error_rate: 0.1 } });
    const poor = looks(12, () => ({ canary: errors(20, 500) }));
    const given = { written: { windowSeconds: 60, intervalSeconds: 5, targets: { max_error_rate: 0.02 } }, where: 'p' };
    const recordings = [recorded(own, poor), recorded(own, poor, { canaryId: 'c-2' })];
    const axes = [{ path: 'targets.max_error_rate', values: [0.01, 0.05] }];
    const { result } = await replay(recordings, request({ given, axes }));
    expect(result.sweep).not.to.equal(null);
    const named = (text: string) => ({ ...withText(result, text), from: text, to: text, modelId: text });
    holds((text) => presentReplay(named(text), false));
    holds((text) => presentReplay({ ...named(text), canaries: [] }, false));
  });

  it('of tables, checks, keys, plans and approvals does not', () => {
    holds((text) => table(['A', text], [[text, 'x']]));
    holds((text) => presentCheck({ name: 'health', state: 'failed', detail: text, durationMs: 1 }, false));
    const key = { role: 'log', fingerprint: 'f', ssh: 's', vkey: 'v' };
    holds((text) => presentKeys([withText(key, text)] as unknown as Parameters<typeof presentKeys>[0]));
    const plan = planPolicy(policy({ targets: { max_error_rate: 0.02 } }), { requestsPerSecond: 20, expected: {} });
    holds((text) => presentPlan(withText(plan, text)));
    const outlook = {
      required: 2,
      given: 1,
      digest: 'd',
      holder: 'm',
      expired: false,
      checkedAt: 'now',
      uncheckedSeconds: 15,
    };
    holds((text) =>
      block(eligibilityLines(withText(outlook, text) as unknown as Parameters<typeof eligibilityLines>[0])),
    );
  });

  it('cannot be coloured by anything but a pen', () => {
    const pen = (text: string) => Styled.colored(text, (shown) => `\u001b[31m${shown}\u001b[39m`);
    expect(beside(pen('a\u001b[0m'), ' \u001b[32mb').sequences).to.equal(
      '\u001b[31ma\\u001b[0m\u001b[39m \\u001b[32mb',
    );
    expect(toScreen(block([pen('a'), 'b\nc']))).to.equal('\u001b[31ma\u001b[39m\nb c');
    // Taken for text, it has lost its colour and nothing else.
    expect(toScreen(`${pen('a')}\n\u001b[31m${pen('b')}`)).to.equal('a\n\\u001b[31mb');
  });

  it('on the line that is written over is one line of as many characters as fit, none of them cut', () => {
    const written: string[] = [];
    const line = statusLine({ isTTY: true, columns: 30, write: (s: string) => written.push(s) } as never);
    line?.update(`error_rate \u001b[2J\n${'🙂'.repeat(40)}`);
    expect(written).to.deep.equal([`\r\u001b[Kerror_rate \\u001b[2J ${'🙂'.repeat(8)}`]);
  });
});

describe('a message for a person', () => {
  it('keeps the indentation of a file that it quotes', () => {
    expect(atMargin('write this:\n\nsource:\n  kind: scrape\nsignals:\n  requests: a')).to.equal(
      'write this:\n\n  source:\n    kind: scrape\n  signals:\n    requests: a',
    );
  });

  it('stays as it is where only its first line begins at the margin', () => {
    expect(atMargin('lost\n  run it again')).to.equal('lost\n  run it again');
  });
});
