enum ArtifactsRoom {}
