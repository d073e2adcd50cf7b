#include "families/wan/experts.h"

#include <cctype>
#include <set>
#include <utility>

#include "t2v/error.h"

namespace t2v {
namespace {

/// The name of a file, in lower case.
struct FileName {
  std::string letters;          ///< its letters alone
  std::string joined;           ///< its letters and digits
  std::set<std::string> words;  ///< runs of letters
};

FileName split_name(const std::string& text) {
  FileName name;
  std::string word;
  for (const char byte : text + '.') {
    const auto letter = static_cast<unsigned char>(byte);
    if (std::isalnum(letter) != 0) name.joined += static_cast<char>(std::tolower(letter));
    if (std::isalpha(letter) != 0) {
      word += static_cast<char>(std::tolower(letter));
      continue;
    }
    name.letters += word;
    name.words.insert(std::exchange(word, ""));
  }
  return name;
}

Expert expert_of(const ModelInfo& model, const char* part) {
  return model.has(part) ? expert_called(model.get(part).file) : Expert::kUnknown;
}

}  // namespace

Expert expert_called(const std::filesystem::path& path) {
  for (const std::filesystem::path& named : {path.filename(), path.parent_path().filename()}) {
    const FileName name = split_name(named.string());
    // "HIGH" alone is an expert's in the name of a model that has experts, else it may be a camera's angle.
    const bool has_experts =
        name.joined.find("wan22") != std::string::npos || name.joined.find("a14b") != std::string::npos;
    const auto called = [&](const char* word) {
      return name.letters.find(std::string(word) + "noise") != std::string::npos ||
             (has_experts && name.words.contains(word));
    };
    const bool high = called("high"), low = called("low");
    if (high != low) return high ? Expert::kHighNoise : Expert::kLowNoise;
  }
  return Expert::kUnknown;
}

std::string lone_expert(const ModelInfo& model) {
  if (model.has("transformer_2") || !model.has("transformer")) return "";
  const Expert expert = expert_of(model, "transformer");
  if (expert == Expert::kHighNoise) return "the high-noise expert, by its name";
  if (expert == Expert::kLowNoise) return "the low-noise expert, by its name";
  // It takes an image without an image encoder: no other published model does.
  const bool takes_image = model.index.text("_class_name", "") == "WanImageToVideoPipeline" &&
                           !model.config("transformer").has("image_dim");
  return takes_image ? "one of the two experts of Wan2.2 I2V-A14B, by its tensors" : "";
}

void check_expert_names(const ModelInfo& model) {
  if (!model.has("transformer_2")) return;
  const bool first_is_low = expert_of(model, "transformer") == Expert::kLowNoise;
  const bool second_is_high = expert_of(model, "transformer_2") == Expert::kHighNoise;
  if (!first_is_low && !second_is_high) return;
  throw Error(ErrorCode::kInput,
              {.doing = "reading " + model.get(first_is_low ? "transformer" : "transformer_2").file.string(),
               .got = std::string("the ") + (first_is_low ? "low" : "high") + "-noise expert, by its name",
               .expected = "the high-noise expert as transformer, the low-noise expert as transformer_2",
               .advice = first_is_low && second_is_high ? "swap the two" : "name it with the other flag"});
}

}  // namespace t2v
