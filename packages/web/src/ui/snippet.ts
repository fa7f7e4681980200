/** Code to take away, under the name of its language. */
export interface Snippet {
  name: string;
  code: string;
}
