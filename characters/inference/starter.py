"""Where the bundled starter model lies."""

from pathlib import Path

STARTER = Path(__file__).parent / "models" / "starter.gguf"
