// A tokenizer that comes inside a checkpoint is the one of the folder beside it.

#include <filesystem>

#include <gtest/gtest.h>

#include "files/formats/gguf_tokenizer.h"
#include "text/tokenizer.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

TEST(CheckpointTokenizerTest, OfLlamaCppIsTheSentencePieceModel) {
  const fs::path fixtures = T2V_FIXTURES;
  const auto file = TensorFile::open(fixtures / "checkpoints/text_encoder_llama.gguf");
  const auto inside = Tokenizer::open_spiece_model(gguf_spiece_model(*file), "a checkpoint");
  const auto beside = Tokenizer::open_file(fixtures / "tiny-wan/tokenizer/spiece.model");
  EXPECT_EQ(inside->vocab_size(), beside->vocab_size());
  for (const char* prompt :
       {"a red ball moves to the right", "green grass, 3 dogs", "Ünïcödé 球 \xF0\x9F\x90\x88", "x"}) {
    EXPECT_EQ(inside->encode(prompt, 64).ids, beside->encode(prompt, 64).ids) << prompt;
  }
}

TEST(CheckpointTokenizerTest, OthersBringNone) {
  const fs::path fixtures = T2V_FIXTURES;
  EXPECT_EQ(gguf_spiece_model(*TensorFile::open(fixtures / "checkpoints/blocks.gguf")), "");
  EXPECT_EQ(gguf_spiece_model(*TensorFile::open(fixtures / "checkpoints/all_in_one.safetensors")), "");
}

}  // namespace
}  // namespace t2v
