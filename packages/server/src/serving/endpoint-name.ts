/** No slash (it stands in paths and names folders), nothing that a shell or a URL would have to quote. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export const isEndpointName = (name: string): boolean => NAME.test(name);
