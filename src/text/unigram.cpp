#include "text/unigram.h"

#include <algorithm>
#include <limits>

#include "text/unicode.h"

namespace t2v {
namespace {

constexpr double kUnknownPenalty = 10;

std::vector<std::string_view> texts(const std::vector<Piece>& vocab) {
  std::vector<std::string_view> list;
  list.reserve(vocab.size());
  for (const Piece& piece : vocab) list.push_back(piece.text);
  return list;
}

std::string byte_piece(uint8_t byte) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  return {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
}

constexpr size_t kUnreached = std::numeric_limits<size_t>::max();

/// The best way to end a piece at one place of the text.
struct Best {
  double score = 0;
  size_t start = kUnreached;
  int64_t id = 0;
};

/// The segments of the best way to the end of `text`, neighbouring unknowns as one.
std::vector<std::string_view> backtracked(std::string_view text, const std::vector<Best>& best_ending_at,
                                          int64_t unk_id) {
  std::vector<std::string_view> segments;
  bool after_unknown = false;
  for (size_t end = text.size(); end > 0;) {
    const Best& best = best_ending_at[end];
    const std::string_view segment = text.substr(best.start, end - best.start);
    const bool unknown = best.id == unk_id;
    if (unknown && after_unknown) {
      segments.back() = {segment.data(), segment.size() + segments.back().size()};
    } else {
      segments.push_back(segment);
    }
    after_unknown = unknown;
    end = best.start;
  }
  std::reverse(segments.begin(), segments.end());
  return segments;
}

}  // namespace

Unigram::Unigram(std::vector<Piece> vocab, const Options& options)
    : vocab_(std::move(vocab)), trie_(texts(vocab_)), options_(options) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const Piece& piece : vocab_) lowest = std::min(lowest, piece.score);
  unk_score_ = lowest - kUnknownPenalty;
  if (!options_.byte_fallback) return;
  for (int byte = 0; byte < 256; ++byte) byte_ids_.push_back(id_of(byte_piece(static_cast<uint8_t>(byte))));
}

int64_t Unigram::id_of(std::string_view text) const {
  const uint32_t found = trie_.find(text);
  return found == Trie::kNone ? -1 : static_cast<int64_t>(found);
}

std::vector<std::string_view> Unigram::best_segments(std::string_view text) const {
  std::vector<Best> best_ending_at(text.size() + 1);
  const auto offer = [&](size_t start, size_t end, int64_t id, double score) {
    Best& best = best_ending_at[end];
    score += best_ending_at[start].score;
    if (best.start != kUnreached && score <= best.score) return;
    best = {score, start, id};
  };
  for (size_t at = 0; at < text.size();) {
    const size_t character = first_code_point(text.substr(at)).size;
    bool covered = false;
    trie_.for_each_prefix(text.substr(at), [&](size_t length, uint32_t id) {
      offer(at, at + length, id, vocab_[id].score);
      covered |= length == character;
    });
    if (!covered) offer(at, at + character, options_.unk_id, unk_score_);
    at += character;
  }
  return backtracked(text, best_ending_at, options_.unk_id);
}

void Unigram::append_token(std::string_view segment, std::vector<Token>* tokens) const {
  const int64_t id = id_of(segment);
  const auto byte_id = [this](char byte) { return byte_ids_[static_cast<uint8_t>(byte)]; };
  const bool as_bytes =
      id < 0 && !byte_ids_.empty() &&
      std::none_of(segment.begin(), segment.end(), [&](char byte) { return byte_id(byte) < 0; });
  if (!as_bytes) {
    tokens->push_back({id < 0 ? options_.unk_id : id, std::string(segment)});
    return;
  }
  for (const char byte : segment) tokens->push_back({byte_id(byte), std::string(1, byte)});
}

void Unigram::encode(std::string_view text, std::vector<Token>* tokens) const {
  for (const std::string_view segment : best_segments(text)) append_token(segment, tokens);
}

}  // namespace t2v
