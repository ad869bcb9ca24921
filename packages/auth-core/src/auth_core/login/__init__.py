"""The login: its journey, its first step, step-up authentication, and the plugins of other packages."""
