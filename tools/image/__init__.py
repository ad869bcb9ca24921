"""``./dev image``: build and run project/Dockerfile and docker-compose.yml without a container engine."""
