/** What takes the findings of a comparison, in words. */
export interface Tell {
  /** A row that does not match the log. */
  table(text: string): void;
  unchecked(text: string): void;
}
