/** Services as containers of Docker. */
export { createDockerHost, type DockerHostOptions } from './host.ts';
