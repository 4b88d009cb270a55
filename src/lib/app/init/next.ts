import { NAME_PATTERN } from '../../input/index.js';
import type { Proposal } from '../../metrics/discover/index.js';

/** The command that starts a first canary on what was found. Nothing in it needs quoting in a shell. */
export function nextCommand(proposal: Proposal): string {
  const { from, to } = gates(proposal);
  return `lukhas canary start --model ${modelName(proposal)} --from ${from} --to ${to} --policy slo.yaml`;
}

/** Where the label of the arms is the gate itself, its values are the gates. */
function gates({ arms: { found } }: Proposal): { from: string; to: string } {
  const values = found === null ? [] : [found.canaryValue, found.baselineValue ?? ''];
  const [from, to] = values;
  if (found === null || !/^(gate|stage)$/i.test(found.label) || !values.every(isPlain))
    return { from: 'stage', to: 'production' };
  return { from: from!, to: to! };
}

/** `fraud-v2`: what the series call the service, and the version that is new. */
function modelName({ service, arms: { found } }: Proposal): string {
  const base = (service ?? '').split('/').at(-1) ?? '';
  const name = isPlain(base) && base !== '' ? base : 'my-model';
  const version = found?.canaryValue ?? '';
  if (/^(gate|stage)$/i.test(found?.label ?? '')) return `${name}-v2`;
  if (/^\d+(\.\d+)*$/.test(version)) return `${name}-v${version}`;
  if (!isPlain(version) || version === '') return `${name}-v2`;
  return version.startsWith(name) ? version : `${name}-${version}`;
}

function isPlain(text: string): boolean {
  return NAME_PATTERN.test(text) && /^[\w.-]{1,60}$/.test(text);
}
