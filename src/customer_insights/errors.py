"""Errors that a user can mend: one sentence that says what is wrong, where, and what to do."""


class CustomerInsightsError(Exception):
    """Base of the errors that are shown to users as one sentence."""


class ArtifactError(CustomerInsightsError):
    """A stored model is not what it says it is."""


class EngineError(CustomerInsightsError):
    """Python was handed something that no known engine makes."""


class VocabularyError(CustomerInsightsError):
    """A row of a vocabulary can not be used."""
