/**
 * `error`: the policy can never promote. `warning`: it probably does not do what its author meant. `note`: worth knowing.
 */
export interface LintFinding {
  severity: 'error' | 'warning' | 'note';
  /** The key it is about, as it is written in a policy. */
  path: string;
  message: string;
}

export function error(path: string, message: string): LintFinding {
  return { severity: 'error', path, message };
}

export function warning(path: string, message: string): LintFinding {
  return { severity: 'warning', path, message };
}

export function note(path: string, message: string): LintFinding {
  return { severity: 'note', path, message };
}

/** A share in percent, as short as it is exact to three digits: 2%, 0.05%. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
