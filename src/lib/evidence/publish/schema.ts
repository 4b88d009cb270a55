import * as z from 'zod';
import { LukhasError } from '../../errors.js';
import { isUrl } from '../../input/index.js';
import { isPassEnv } from '../../process/index.js';
import { parseVkey, SIGNATURE_TYPE } from '../formats/index.js';
import { ANCHOR_URL, TSA_URL, WITNESS_URL } from './target.js';

const url = z.string().superRefine(isUrl(ANCHOR_URL));

const path = z
  .string()
  .min(1)
  .refine((text) => !/^[a-z][a-z0-9+.-]*:\/\//i.test(text), 'must be a path, not a URL');

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable, not the URL itself');

const vkey = z.string().transform((text, context) => {
  try {
    const key = parseVkey(text);
    if (key.type === SIGNATURE_TYPE.cosignature) return key;
    context.addIssue({
      code: 'custom',
      message: 'is not a witness key; print it on the witness with lukhas witness key',
    });
  } catch (error) {
    if (!(error instanceof LukhasError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
  return z.NEVER;
});

/** The `evidence` section of a configuration file. Unknown keys are errors. */
export const evidenceSchema = z.strictObject({
  witnesses: z.array(z.strictObject({ url: z.string().superRefine(isUrl(WITNESS_URL)), vkey })).default([]),
  anchors: z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('file'), path }),
        z.strictObject({
          kind: z.literal('git'),
          repository: path,
          sign: z.boolean().optional(),
          signingKey: path.optional(),
          push: z.boolean().optional(),
          passEnv: z.array(z.string().superRefine(isPassEnv)).optional(),
        }),
        z
          .strictObject({ kind: z.literal('webhook'), url: url.optional(), urlEnv: variable.optional() })
          .transform(({ url: address, urlEnv }, context) => {
            if (address !== undefined && urlEnv === undefined) return { kind: 'webhook' as const, url: address };
            if (address === undefined && urlEnv !== undefined) return { kind: 'webhook' as const, urlEnv };
            context.addIssue({ code: 'custom', message: 'must have either url or urlEnv' });
            return z.NEVER;
          }),
        z.strictObject({ kind: z.literal('tsa'), url: z.string().superRefine(isUrl(TSA_URL)), caFile: path }),
      ]),
    )
    .default([]),
});
