import * as z from 'zod';
import { NAME_MOST, NAME_PATTERN, NAME_RULE } from '../../lib/input/index.js';

/** The name of a model, a gate or a configuration, as an argument. */
export const name = z.string().max(NAME_MOST, { abort: true }).regex(NAME_PATTERN, `is not valid: ${NAME_RULE}`);
