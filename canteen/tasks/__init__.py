"""Long work in the background: asked for, followed, cancelled, taken up again."""
