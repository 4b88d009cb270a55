import type { CustomObjective } from '../policy.js';
import { quantileQuestion } from '../quantile-name.js';
import { type LintFinding, note } from './findings.js';

/** Which objectives are judged reading by reading, and which need a histogram to be more than that. */
export function doubtfulObjectives(objectives: readonly CustomObjective[]): LintFinding[] {
  const questions = objectives.map((rule) => ({ rule, question: quantileQuestion(rule) }));
  const counted = questions.flatMap(({ rule, question }) =>
    question ? [`${rule.name} of ${question.histogram}`] : [],
  );
  const above = objectives.filter((rule) => rule.op.startsWith('>') && quantileQuestion({ ...rule, op: '<' }) !== null);
  const read = questions.flatMap(({ rule, question }) => (question ? [] : [rule.name]));
  const findings: LintFinding[] = [];
  if (counted.length > 0)
    findings.push(
      note(
        'objectives',
        `${counted.join(', ')}: counted, and certified, where the source measures a histogram of that name; otherwise judged reading by reading`,
      ),
    );
  if (read.length > 0)
    findings.push(
      note(
        'objectives',
        `${read.join(', ')}: judged reading by reading, so a promotion that depends on ${read.length === 1 ? 'it' : 'them'} is recorded as uncertified`,
      ),
    );
  for (const { rule, question } of questions)
    if (question?.strict)
      findings.push(
        note(
          'objectives',
          `${rule.name} < ${rule.value}: ${rule.value} itself is too much, and a bucket that ends there may hold it; write <= ${rule.value} if it is allowed`,
        ),
      );
  for (const { name, op } of above)
    findings.push(note('objectives', `${name} ${op}: only < and <= can be counted from a histogram`));
  return findings;
}
