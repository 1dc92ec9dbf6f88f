"""Call tasks as methods. Here on the embedded backend, which needs no token and no network.

To use Hugging Face's servers instead, make the client with `HfInference()`, set HF_TOKEN and give a `model`.
"""

from hf_tools import HfError, HfInference

with HfInference(provider="local") as hf:
    for label in hf.zero_shot_classification("I want my money back.", ["refund", "praise", "opening hours"]):
        print(f"{label.label}: {label.score:.2f}")

    near, far = hf.sentence_similarity("A fox crossed the road.", ["An animal ran over the street.", "Rates rose."])
    print(f"near {near:.2f}, far {far:.2f}")

    answer = hf.chat_completion(
        [{"role": "user", "content": "What is the capital of France?"}], max_tokens=30, temperature=0
    )
    print(answer.text)

    try:
        hf.zero_shot_classification("text", [])
    except HfError as error:  # the base of every error of this package
        print(f"refused: {error}")
