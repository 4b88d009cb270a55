import type { Check } from './check.js';
import { asSigned } from './members.js';

/** Reports what a pack cannot prove about itself. */
export const reportLimits: Check = ({ trust, since }, { checkpoint, witnesses, meta, statement }, found) => {
  if (trust === null) {
    found.unchecked(
      'signer: a key inside the pack proves nothing, because a forger would include their own. Get the keys from the operator and pass --trust FILE',
    );
  }
  // Only someone else's record of the whole log shows that: a checkpoint they kept, or a witness.
  const size = checkpoint?.size ?? 0;
  if (since === null && !witnesses.some((seen) => seen.size >= size)) {
    found.unchecked(
      'whether the log was rewritten before this export: pass a checkpoint that was kept elsewhere: --since CHECKPOINT',
    );
  }
  if (meta !== null && meta.csv === undefined) {
    found.unchecked(
      'whether audits.csv is safe in a spreadsheet that separates cells at ; or tab: it is in the form of older versions, which is safe only where a comma separates',
    );
  }
  found.unchecked(
    'what narrative.txt and VERIFY.md say: they are as signed, but anyone who holds the export key can write anything there',
  );
  if (meta !== null) found.unchecked(asSigned('meta.json', [...meta.unknown, 'product.version', 'filter']));
  if (statement !== null)
    found.unchecked(asSigned('statement.dsse.json', [...statement.unknown, 'predicate.generator.version']));
  return {};
};
