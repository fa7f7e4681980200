interface Place {
  give: (() => void) | undefined;
}

/** Holds answers back until those who came before have theirs. */
export class ReplyOrder {
  readonly #places: Place[] = [];

  /** A place in the order; what it returns hands an answer over, at once or when its turn comes. */
  enter(): (give: () => void) => void {
    const place: Place = { give: undefined };
    this.#places.push(place);
    return (give) => {
      place.give = give;
      while (this.#places[0]?.give !== undefined) this.#places.shift()?.give?.();
    };
  }
}
