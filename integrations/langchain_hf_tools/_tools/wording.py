"""What a model reads about tasks and their fields, where the docstrings are for developers.

When to take which task, what comes back, and no word about servers.
"""

from __future__ import annotations

from collections.abc import Mapping

_BOX = "[left, top, right, bottom] in pixels"

TASKS: Mapping[str, str] = {
    "text-classification": "Classify a text by the model's own labels, usually positive or negative: labels with "
    "scores, the best first. Not for labels of your own.",
    "token-classification": "Find names in a text: people, places, organizations. Returns each with kind and score.",
    "fill-mask": "Guess the masked word of a text: ways to fill it with scores, the best first.",
    "summarization": "Summarize a long text: returns a short one with its main points.",
    "translation": "Translate a text. Which languages it can, the model decides.",
    "question-answering": "Find the answer to a question in a text that you give: returns words of the text, with "
    "score and position.",
    "table-question-answering": "Answer a question out of a table (CSV): look up, count or add cells.",
    "zero-shot-classification": "Sort a text by labels of your own: each label with its score, the best first.",
    "text-generation": "Continue a text where it ends. Not for questions and instructions.",
    "chat-completion": "Ask another language model: it gets one message, knows nothing else, and answers with a text.",
    "conversational": "Chat with an old kind of model: it gets one message and answers with a text.",
    "feature-extraction": "Turn texts into vectors (embeddings) for a program. You see their shape alone: to compare "
    "texts, take sentence similarity.",
    "sentence-similarity": "Compare a sentence with others by meaning: a number for each, in their order, the nearer "
    "the higher.",
    "text-ranking": "Order texts by how well they answer a query: place and score of each, the best first.",
    "automatic-speech-recognition": "Transcribe speech: write down what is said in a recording.",
    "audio-classification": "Say what is heard in a recording, such as kinds of sound or music: labels with scores, "
    "the best first. Not for words that are spoken.",
    "audio-to-audio": "Clean a recording of noise, or separate its voices. Returns the handle of each result.",
    "text-to-speech": "Read a text aloud: makes a recording of speech and returns its handle.",
    "text-to-audio": "Make music or a sound that a text describes. Returns its handle. Not for speech.",
    "image-classification": "Say what a picture shows as a whole: the model's own labels with scores, the best first. "
    "Not for labels of your own.",
    "object-detection": f"Find things in a picture, to count or locate them: label, score and box {_BOX} of each.",
    "image-segmentation": "Divide a picture into parts: label, score and the handle of a mask for each.",
    "image-to-text": "Read the text in a picture (OCR), or describe it (caption): the model does one of both.",
    "image-to-image": "Change a picture as a text says. Returns the handle of the new one.",
    "text-to-image": "Draw a picture that a text describes. Returns its handle.",
    "zero-shot-image-classification": "Sort a picture by labels of your own: each label with its score, the best "
    "first.",
    "zero-shot-object-detection": "Find things that you name in a picture, to count or locate them: label, score and "
    f"box {_BOX} of each.",
    "depth-estimation": "Estimate how far away each point of a picture is. Returns the handle of a picture of depths.",
    "visual-question-answering": "Answer a question about a picture in a word or two: answers with scores, the best "
    "first.",
    "document-question-answering": "Answer a question about a scanned page, such as an invoice or a form: answers "
    "with scores, the best first.",
    "text-to-video": "Make a film (video) that a text describes. Returns its handle.",
    "image-to-video": "Make a film (video) in which a picture moves. Returns its handle.",
    "video-classification": "Say what happens in a film (video): labels with scores, the best first.",
    "image-text-to-image": "Draw a picture from a picture, a text, or both. Returns its handle.",
    "image-text-to-video": "Make a film (video) from a picture, a text, or both. Returns its handle.",
    "tabular-classification": "Give each row of a table (CSV) its class, as the model was trained to.",
    "tabular-regression": "Predict a number for each row of a table (CSV), as the model was trained to.",
}
"""What each task is for, by its name."""

_TOKENS = "Most tokens that are written; a token is about four letters."
_FEWEST = "Fewest tokens that are written."

FIELDS: Mapping[str, str] = {
    "candidate_labels": "The labels to choose from.",
    "conversational.max_length": _TOKENS,
    "conversational.min_length": _FEWEST,
    "conversational.text": "What to say to the model.",
    "document-question-answering.lang": "Language of the page, as the server names it; English unless said.",
    "feature-extraction.text": "The texts.",
    "fill-mask.top_k": "How many ways to return.",
    "handle_impossible_answer": "True for no answer where there is none.",
    "max_tokens": _TOKENS,
    "multi_label": "True where several labels may be right: each is then judged by itself.",
    "num_frames": "How many frames the film has: more make it longer.",
    "return_timestamps": "True for the times in seconds, too.",
    "seed": "Any number; the same one gives the same result again, where the server can.",
    "sentence": "The sentence that the others are compared with.",
    "src_lang": "Language of the text as the model names it, such as en_XX or eng_Latn; needs `tgt_lang`.",
    "subtask": "instance: each thing by itself; semantic: one part for each kind; panoptic: both.",
    "summarization.max_length": _TOKENS,
    "summarization.min_length": _FEWEST,
    "text-classification.top_k": "How many labels to return.",
    "text-generation.max_new_tokens": _TOKENS,
    "text-to-audio.max_new_tokens": "Most tokens that are made: more make a longer sound.",
    "text-to-video.negative_prompt": "What the film must not show.",
    "tgt_lang": "Language to translate into, as the model names it; needs `src_lang`.",
    "threshold": "Smallest score of what is returned, 0 to 1.",
    "video-classification.num_frames": "How many frames of the film are looked at.",
    "voice": "Name of a voice, where the server has several.",
    "zero-shot-object-detection.candidate_labels": "What to look for, such as bicycle.",
}
"""What fields mean, by their names, or for one task by task.name. Of those that do not stand here the task tells."""
