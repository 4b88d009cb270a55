/** Checks of the entries, and of what the other files say about them. */
import type { VerifiedCheckpoint } from '../formats/index.js';
import { refused } from '../formats/index.js';
import { metaProblems, statementProblems, unknownTimes } from './agree.js';
import { type Check, type CheckedEntries, type Established, MAX_BYTES } from './check.js';
import { Completeness, type CompletenessFrame } from './completeness.js';
import { EntryPass } from './entries.js';
import { FactCheck } from './facts.js';
import { policyDigests } from './files.js';
import { asSigned } from './members.js';
import { parseMeta } from './meta.js';
import { Observations } from './observations.js';
import type { EvidenceFindings } from './report.js';
import { PackTree } from './tree.js';

export const readMeta: Check = async ({ files }) => ({
  meta: parseMeta(await files.whole('meta.json', MAX_BYTES.large)),
});

export const openCompleteness: Check = async ({ files }) => ({
  completeness: await Completeness.open(files.read('completeness.json')),
});

/** Each policy has the digest that its name says. Its bytes are hashed like every other file's. */
export const checkPolicies: Check = async ({ files }, { completeness }, found) => {
  if (completeness === null) return {};
  for (const digest of policyDigests(files.names)) {
    const name = `policies/${digest}.json`;
    await found.attempt(async () => {
      if ((await files.digest(name)) !== digest) throw refused(`${name}: its content does not have this digest`);
    });
  }
  return {};
};

/** One pass over entries, observations and hashes of what is left out, side by side. */
export const checkEntries: Check = async ({ files }, { completeness, checkpoint, earlier, statement, meta }, found) => {
  if (completeness === null) {
    found.unchecked('entries: completeness.json cannot be read');
    return {};
  }
  const policies = policyDigests(files.names);
  const observations = new Observations(files.read('observations.ndjson'), found);
  const facts = new FactCheck({ observations, policies, statement }, found);
  const tree = new PackTree(completeness.from, completeness.before, earlier?.size ?? null);
  const pass = new EntryPass(files, found, tree, completeness, meta?.csv ?? null);
  const before = found.problemCount;
  await pass.run((entry) => facts.take(entry));
  const frame = await completeness.frame();
  if ((await found.attempt(() => facts.finish())) === null) return { frame };
  const counts = { events: pass.events, omitted: pass.omitted, observations: observations.count };
  const entries = { counts, facts, tree, root: checkRoot(tree, frame, checkpoint, found) };
  if (found.problemCount === before) reportEntries(entries, frame, policies.size, checkpoint !== null, found);
  return { frame, entries };
};

/** @returns the checkpoint, when the entries, with what comes before them, are those that it covers; else null */
function checkRoot(
  tree: PackTree,
  { from, to, root }: CompletenessFrame,
  checkpoint: VerifiedCheckpoint | null,
  found: EvidenceFindings,
): VerifiedCheckpoint | null {
  if (tree.size !== to) {
    found.problem(`completeness.json: covers entries ${from} to ${to - 1}, but the pack ends before ${tree.size}`);
  } else if (!tree.root().equals(root)) {
    found.problem(
      'audits.ndjson: entries were changed, added or removed: they do not give the root in completeness.json',
    );
  } else if (checkpoint === null) {
    found.unchecked('completeness: no valid checkpoint to compare with');
  } else if (checkpoint.size !== to || !checkpoint.root.equals(root)) {
    found.problem('completeness.json: root does not match the checkpoint');
  } else return checkpoint;
  return null;
}

function reportEntries(
  { counts: { events, omitted }, facts }: CheckedEntries,
  { from, to }: CompletenessFrame,
  policies: number,
  complete: boolean,
  found: EvidenceFindings,
): void {
  if (complete) {
    const hashed = omitted === 0 ? '' : `, ${omitted} omitted and covered by their hashes`;
    const what =
      from === to
        ? 'the window has no entries'
        : `entries ${from} to ${to - 1}: complete, in order, unchanged (${events} in the pack${hashed})`;
    found.holds(`${what}; the root matches the checkpoint`);
  }
  found.holds('audits.json and audits.csv match audits.ndjson');
  found.holds(`verdicts match the observations in the pack (${facts.committed})`);
  found.holds(`policies match the requests that name them (${policies})`);
}

export const checkMeta: Check = ({ files }, known, found) => {
  const all = comparable(known);
  if (all === null || known.meta === null) return {};
  const { counts, facts } = all.entries;
  const claimed = { ...counts, observationsMissing: facts.missing, policies: policyDigests(files.names).size };
  for (const problem of metaProblems(known.meta, { ...all, facts, counts: claimed })) found.problem(problem);
  const times = unknownTimes(all.frame, facts).meta;
  if (times.length > 0) found.unchecked(asSigned('meta.json', times));
  const { models, include } = known.meta.filter;
  const filtered = models !== null || include !== null;
  if (filtered) {
    found.unchecked(`whether the ${counts.omitted} omitted entries match the filter: the pack has only their hashes`);
  } else if (counts.omitted > 0) found.problem('meta.json: filter is null, but entries are omitted');
  return {};
};

export const checkStatement: Check = (_, known, found) => {
  const all = comparable(known);
  if (all === null || known.statement === null) return {};
  const { facts } = all.entries;
  for (const problem of statementProblems(known.statement, { ...all, facts })) found.problem(problem);
  const times = unknownTimes(all.frame, facts).statement;
  if (times.length > 0) found.unchecked(asSigned('statement.dsse.json', times));
  return {};
};

/** What meta.json and the statement are compared with; null when part of it was not established. */
function comparable({ keys, checkpoint, frame, sums, entries }: Established) {
  if (keys === null || checkpoint === null || frame === null || sums === null || entries === null) return null;
  return { keys, checkpoint, frame, sums, entries };
}
