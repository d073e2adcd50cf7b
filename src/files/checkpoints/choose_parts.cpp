#include "files/checkpoints/choose_parts.h"

#include <algorithm>

#include "core/log.h"

namespace t2v {
namespace {

/// A side of a tensor; 0 if there is no such tensor.
int64_t side(const Component& component, std::string_view name, size_t dimension) {
  const auto found = component.tensors.find(name);
  if (found == component.tensors.end()) return 0;
  const std::vector<int64_t>& shape = found->second.stored.shape;
  return dimension < shape.size() ? shape[dimension] : 0;
}

int64_t width_of_image_encoder(const Component& component) {
  const int64_t width = side(component, "embeddings.class_embedding", 0);
  return width > 0 ? width : side(component, "vision_model.embeddings.class_embedding", 0);
}

int64_t width_of_text_encoder(const Component& component) {
  const int64_t width = side(component, "shared.weight", 1);
  return width > 0 ? width : side(component, "encoder.embed_tokens.weight", 1);
}

bool fits(const std::string& kind, const Component& component, const Component* transformer) {
  if (transformer == nullptr) return true;
  const Config& config = transformer->config;
  if (kind == "vae") {
    const int64_t latents = config.integer("out_channels", config.integer("in_channels", 16));
    return side(component, "decoder.conv_in.weight", 1) == latents;
  }
  if (kind == "text_encoder") return width_of_text_encoder(component) == config.integer("text_dim", 4096);
  if (kind != "image_encoder") return true;
  return config.has("image_dim") && width_of_image_encoder(component) == config.integer("image_dim", 1280);
}

/// "two", "three", "12".
std::string count_word(size_t count) {
  if (count == 2) return "two";
  return count == 3 ? "three" : std::to_string(count);
}

template <typename Range, typename Text>
std::string joined(const Range& items, const char* between, const Text& text) {
  std::string line;
  for (const auto& item : items) line.append(line.empty() ? "" : between).append(text(item));
  return line;
}

}  // namespace

std::optional<Component> PartChooser::choose(const std::string& kind, std::vector<LooseCandidate> candidates,
                                             const Component* transformer) {
  const auto others = std::stable_partition(
      candidates.begin(), candidates.end(),
      [&](const LooseCandidate& candidate) { return fits(kind, candidate.component, transformer); });
  // Without an image branch, or with one of another width, a picture's encoder is of another model.
  if (others != candidates.begin() || kind == "image_encoder") {
    for (auto other = others; other != candidates.end(); ++other) {
      log_verbose("passing over " + other->component.origin + ": a " + kind + " of another model");
    }
    candidates.erase(others, candidates.end());
  }
  if (candidates.empty()) return std::nullopt;
  if (candidates.size() > 1) {
    const auto origin = [](const LooseCandidate& candidate) { return candidate.component.origin; };
    conflicts_.push_back(count_word(candidates.size()) + " of " + kind + ": " +
                         joined(candidates, " and ", origin));
    flags_.push_back(flag_of(kind));
    if (kind == "transformer")
      flags_.back() += " (or the two experts with --transformer and --transformer-2)";
    return std::nullopt;
  }
  if (candidates.front().error) throw Error(*candidates.front().error);
  return std::move(candidates.front().component);
}

void PartChooser::expect_decided() const {
  if (conflicts_.empty()) return;
  const auto same = [](const std::string& text) { return text; };
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin_,
                                  .got = joined(conflicts_, "; ", same),
                                  .expected = "one of each",
                                  .advice = "name one with " + joined(flags_, ", one with ", same)});
}

}  // namespace t2v
