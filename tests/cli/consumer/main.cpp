#include <cstdio>

#include <t2v/error.h>
#include <t2v/generate.h>

// consumer PROMPT CLIP: renders five frames in one step.
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const t2v::GenerateRequest request{.prompt = argv[1],
                                       .size = {.num_frames = 5},
                                       .sampling = {.num_inference_steps = 1, .seed = 1},
                                       .outputs = {.output = argv[2]}};
    const t2v::GenerateResult result = t2v::generate(request, {});
    std::printf("%s\n", result.output.c_str());
  } catch (const t2v::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
