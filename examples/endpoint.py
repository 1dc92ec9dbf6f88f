"""Use a server of your own: python examples/endpoint.py URL

The URL may be that of a dedicated Inference Endpoint, TGI, TEI, vLLM, llama.cpp or the inference toolkit; which of them
it is, is found out with the first call. This example chats.
"""

import sys

from hf_tools import HfInference

if len(sys.argv) != 2:
    sys.exit(__doc__)

with HfInference() as hf:
    endpoint = hf.endpoint(sys.argv[1])
    answer = endpoint.chat_completion([{"role": "user", "content": "Say hello."}], max_tokens=20)
    print(f"{answer.model}: {answer.text}")
    if answer.usage:
        print(f"{answer.usage.total_tokens} tokens")
