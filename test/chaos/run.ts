/**
 * `npm run chaos [-- --minutes N --seed N --only PART]`: makes calls fail, kills, fills disks and steps clocks, and counts
 * what must never happen. Every call that a command really makes can fail; as many as there is time for are tried, in an
 * order drawn from the seed. Takes root (small disks), strace and libfaketime.
 */
import { parseArgs } from 'node:util';
import { xorshift } from '../xorshift.js';
import { template } from './commands.js';
import { clockTrials, killTrials } from './daemon.js';
import { diskTrials } from './disks.js';
import { inject, injectionsOf } from './injections.js';
import { Tally } from './tally.js';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '15' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const random = xorshift(seed);
const end = Date.now() + Number(values.minutes) * 60_000;
const tally = new Tally();

/** One try of something. */
interface Trial {
  part: string;
  /** False: what was to happen did not come about. */
  run: () => Promise<boolean>;
}

const { world, commands } = await template();
const trials: Trial[] = [];
const isWanted = (part: string) => values.only === undefined || part.includes(values.only);
for (const command of commands.filter(({ name }) => isWanted(name))) {
  const injections = await injectionsOf(world, command);
  const part = `calls of ${command.name}`;
  tally.plan(part, injections.length);
  trials.push(...injections.map((injection) => ({ part, run: () => inject(tally, world, injection) })));
}
for (const [part, runs] of [
  ['levels of a full disk', diskTrials(tally, world)],
  ['daemons that are killed', killTrials(tally, world, random)],
  ['steps of the clock', clockTrials(tally, world)],
] as const) {
  if (!isWanted(part)) continue;
  tally.plan(part, runs.length);
  trials.push(...runs.map((run) => ({ part, run })));
}

// Of each part in turn, so that little time is spread over all of them.
const queues = new Map<string, Trial[]>();
for (const trial of shuffled(trials)) queues.set(trial.part, [...(queues.get(trial.part) ?? []), trial]);
const next = (): Trial | undefined => {
  const [part, queue] = queues.entries().next().value ?? [];
  if (part === undefined || queue === undefined) return undefined;
  queues.delete(part);
  const trial = queue.shift();
  if (queue.length > 0) queues.set(part, queue);
  return trial;
};
const lane = async () => {
  for (let trial = next(); trial !== undefined && Date.now() < end; trial = next()) {
    if (await trial.run()) tally.tried(trial.part);
    else tally.missed(trial.part);
  }
};
console.log(`seed ${seed}`);
await Promise.all([lane(), lane()]);
await world.remove();
console.log(tally.lines().join('\n'));
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;

function shuffled<T>(items: readonly T[]): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
