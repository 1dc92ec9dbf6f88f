"""Read an answer while it is written. Here on the embedded backend; see sync.py for Hugging Face's servers."""

from hf_tools import HfInference

question = [{"role": "user", "content": "Explain in two sentences why the sky is blue."}]

with HfInference(provider="local") as hf:
    # Leaving the `with` block of a stream closes its connection, also in the middle.
    with hf.chat_completion_stream(question, max_tokens=100, temperature=0) as stream:
        for part in stream:
            print(part.text, end="", flush=True)
    print()
    print(f"tokens used: {stream.usage['total_tokens']}; finished by: {stream.final.choices[0].finish_reason}")

    with hf.text_generation_stream("One, two, three,", max_new_tokens=8, temperature=0) as pieces:
        print("".join(piece.text for piece in pieces))
